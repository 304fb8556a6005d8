-- What an entry says as a whole: a later entry of the same topic says it anew. Entries from before have none and stay.
ALTER TABLE log ADD COLUMN topic TEXT;
CREATE INDEX log_by_topic ON log (topic, epoch, seq) WHERE topic IS NOT NULL;

-- Each opening of the file begins an epoch, which the next entry has; the pruned ones may be of an earlier one.
ALTER TABLE marks ADD COLUMN base_epoch INTEGER NOT NULL DEFAULT 0;
UPDATE marks SET base_epoch = epoch;
