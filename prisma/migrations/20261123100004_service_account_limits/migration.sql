-- A service account's own limit of requests; without one the organization's holds.
-- AlterTable
ALTER TABLE "service_accounts" ADD COLUMN     "requests_per_minute" INTEGER;
