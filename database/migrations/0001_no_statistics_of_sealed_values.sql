-- ANALYZE copies sample values into pg_statistic, from where no erasure removes them. With a target of 0 it reads none.
ALTER TABLE "secret_keys" ALTER COLUMN "sealed_secret" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "crypto_keys" ALTER COLUMN "sealed_key_pair" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "members" ALTER COLUMN "sealed_facts" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "member_keys" ALTER COLUMN "sealed_data_key" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "ars_codes" ALTER COLUMN "sealed_code" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "registrations" ALTER COLUMN "sealed_details" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "consent_evidence" ALTER COLUMN "sealed_recording" SET STATISTICS 0;

--> statement-breakpoint
ALTER TABLE "audit_trail_keys" ALTER COLUMN "sealed_key" SET STATISTICS 0;
--> statement-breakpoint
ALTER TABLE "seal_keys" ALTER COLUMN "sealed_key" SET STATISTICS 0;
