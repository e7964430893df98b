-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "previous_pepper_check" BYTEA,
ADD COLUMN     "previous_pepper_version" INTEGER,
ADD COLUMN     "sealed_secret" BYTEA;
