-- Who had failed jobs tried again: written down before it is done. Rows get their result, and stay.
create table job_retries (
  retry_id bigint generated always as identity primary key,
  -- Whose queue: servers share a database.
  station_number text not null,
  asked_at timestamptz not null,
  asked_by bigint not null references users,
  queue text not null,
  job_id text not null,
  job_name text not null,
  -- What the job was about, as far as that is known.
  round_id bigint,
  receipts bigint not null check (receipts >= 0),
  amount bigint not null check (amount >= 0),
  -- `asked` until it is known what came of it.
  result text not null default 'asked' check (result in ('asked', 'retried', 'gone', 'not-failed'))
);
create index job_retries_latest on job_retries (station_number, retry_id desc);
