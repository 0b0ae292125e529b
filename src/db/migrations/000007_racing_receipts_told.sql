-- How many receipts the station had sold when it said so last, those included that wait for their rows. A journal that
-- takes the place of a lost one numbers its receipts from above it.
alter table stations add column receipts_told bigint not null default 0;
