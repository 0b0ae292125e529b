create table users (
  user_id bigint generated always as identity primary key,
  name text not null check (name ~ '^[a-z0-9._-]{1,40}$'),
  role text not null check (role in ('admin', 'cashier')),
  password_hash text not null,
  -- Tokens carry the version they were issued under; a new password or a disabled account makes the old ones worthless.
  token_version bigint not null default 1,
  disabled_at timestamptz,
  disabled_by bigint references users,
  created_at timestamptz not null default now(),
  created_by bigint references users
);
create unique index users_name on users (name);

-- Tokens that were given back before they ran out.
create table revoked_tokens (
  token_id text primary key,
  expires_at timestamptz not null
);
create index revoked_tokens_expiry on revoked_tokens (expires_at);
