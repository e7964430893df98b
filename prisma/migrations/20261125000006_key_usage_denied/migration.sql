-- AlterTable. Older servers, which do not count these, go on writing meanwhile.
ALTER TABLE "key_usage" ADD COLUMN "denied" INTEGER NOT NULL DEFAULT 0;
