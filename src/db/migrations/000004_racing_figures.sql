-- What the desk asks: receipts and rounds by time, whoever sold them and whatever became of them, and what was handed out.
create index receipts_by_time on receipts (created_at desc, receipt_id desc) where retired;
create index receipts_of_user_by_time on receipts (user_id, created_at desc, receipt_id desc) where retired;
create index receipts_handed_out on receipts (closed_at) where retired and status in ('paid', 'refunded');
create index rounds_by_time on rounds (opened_at desc, round_id desc) where retired_at is not null;
