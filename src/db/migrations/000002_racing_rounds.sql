-- The stations that sell into this database, and the journal that sells for each at present.
create table stations (
  station_number text primary key check (station_number ~ '^[0-9]{2,4}$'),
  -- Secret of the permutation that scatters the receipts' numbers.
  receipt_key text not null,
  journal_id text not null,
  first_receipt bigint not null,
  first_round bigint not null
);
-- Every journal gets a block of round ids of its own.
create sequence round_blocks minvalue 0 start 0;

create table rounds (
  round_id bigint primary key,
  track text not null,
  status text not null check (status in ('waiting', 'betting-locked', 'running', 'settled')),
  opened_at timestamptz not null,
  locks_at timestamptz not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  commitment text not null,
  chain_anchor text not null,
  chain_index bigint not null,
  seed text,
  arrival bigint[],
  settled_at timestamptz,
  -- Number of the fact that wrote the status; an older one never overwrites it.
  fact_number bigint not null,
  -- Set when the round's actor handed it over: from then on this database owns its receipts.
  retired_at timestamptz,
  fact_count bigint,
  receipt_count bigint,
  stakes bigint check (stakes >= 0),
  prizes bigint check (prizes >= 0),
  reconciled_at timestamptz,
  discrepancy text,
  check (opened_at <= locks_at and locks_at <= starts_at and starts_at <= ends_at),
  check ((status = 'settled') = (seed is not null and arrival is not null and settled_at is not null)),
  check (retired_at is null or (status = 'settled' and fact_count is not null))
);
create index rounds_history on rounds (track, round_id desc) where retired_at is not null;
create index rounds_to_reconcile on rounds (round_id) where retired_at is not null and reconciled_at is null;
create index rounds_that_differ on rounds (round_id desc) where discrepancy is not null;

create table round_participants (
  round_id bigint not null references rounds,
  number bigint not null check (number > 0),
  name text not null,
  chance bigint not null check (chance > 0),
  -- Hundredths: 250 is 2.50.
  coefficient bigint not null check (coefficient > 100),
  primary key (round_id, number)
);

create table receipts (
  receipt_id bigint primary key,
  round_id bigint not null references rounds,
  user_id bigint not null references users,
  total_amount bigint not null check (total_amount > 0),
  prize bigint not null check (prize >= 0),
  status text not null check (status in ('pending', 'won', 'lost', 'paid', 'cancelled')),
  created_at timestamptz not null,
  prints bigint not null default 0 check (prints >= 0),
  -- Who paid or cancelled it, and when.
  closed_by bigint references users,
  closed_at timestamptz,
  -- The idempotency key under which it was paid here, so that the same request gets the same answer.
  paid_key text,
  fact_number bigint not null,
  retired boolean not null default false,
  check ((status in ('paid', 'cancelled')) = (closed_by is not null and closed_at is not null))
);
create index receipts_of_round on receipts (round_id);
-- The lists of retired receipts, for one user and for all, with and without a status.
create index receipts_of_user on receipts (user_id, created_at desc, receipt_id desc)
  where retired and status <> 'cancelled';
create index receipts_of_user_by_status on receipts (user_id, status, created_at desc, receipt_id desc) where retired;
create index receipts_latest on receipts (created_at desc, receipt_id desc) where retired and status <> 'cancelled';
create index receipts_by_status on receipts (status, created_at desc, receipt_id desc) where retired;

create table bets (
  receipt_id bigint not null references receipts,
  number bigint not null,
  round_id bigint not null,
  -- Where it stands on the receipt, so that a reprint shows the same paper.
  place smallint not null check (place > 0),
  value bigint not null check (value > 0),
  prize bigint not null check (prize >= 0),
  primary key (receipt_id, number),
  foreign key (round_id, number) references round_participants
);

-- Sums of a user's retired receipts, so that statistics do not grow with history. Changed with the receipts themselves.
create table user_totals (
  user_id bigint not null references users,
  status text not null check (status in ('won', 'lost', 'paid', 'cancelled')),
  receipts bigint not null,
  stakes bigint not null,
  prizes bigint not null,
  primary key (user_id, status)
);

-- All that ever happened, for audit. Rows are added, never changed.
create table facts (
  round_id bigint not null,
  number bigint not null check (number > 0),
  type text not null,
  body jsonb not null,
  stored_at timestamptz not null default now(),
  primary key (round_id, number)
);
create function facts_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'facts are added, never changed or removed';
end $$;
create trigger facts_are_final before update or delete or truncate on facts
  for each statement execute function facts_are_final();
