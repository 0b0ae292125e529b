-- Rounds that an admin ended without a winner, and the stakes of their receipts given back at the counter.
alter table rounds add column voided_by bigint references users, add column void_reason text;
alter table rounds drop constraint rounds_check1;
alter table rounds add constraint rounds_end check (
  (status = 'settled') = (seed is not null and settled_at is not null and (arrival is null) = (voided_by is not null))
  and (voided_by is null) = (void_reason is null)
  and (status = 'settled' or (voided_by is null and arrival is null))
);

alter table receipts drop constraint receipts_status_check, drop constraint receipts_check;
alter table receipts
  add constraint receipts_status_check
    check (status in ('pending', 'won', 'lost', 'paid', 'cancelled', 'refundable', 'refunded')),
  add constraint receipts_closed_check
    check ((status in ('paid', 'cancelled', 'refunded')) = (closed_by is not null and closed_at is not null));

alter table user_totals drop constraint user_totals_status_check;
alter table user_totals add constraint user_totals_status_check
  check (status in ('won', 'lost', 'paid', 'cancelled', 'refundable', 'refunded'));
