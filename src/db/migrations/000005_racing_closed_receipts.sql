-- What somebody cancelled, paid and refunded on a day.
create index receipts_closed on receipts (closed_by, closed_at) where retired and closed_by is not null;
