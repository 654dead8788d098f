"""What a backfill would cost: partitions, keys, requests, time and token renewals, before it is started."""
