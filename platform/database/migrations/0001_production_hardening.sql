CREATE TABLE "ars_calls" (
	"registration_number" text NOT NULL,
	"attempt" integer NOT NULL,
	"called_on" date NOT NULL,
	"user_id" text NOT NULL,
	"phone_hash" text NOT NULL,
	"account_hash" text NOT NULL,
	CONSTRAINT "ars_calls_registration_number_attempt_pk" PRIMARY KEY("registration_number","attempt")
);
--> statement-breakpoint
CREATE TABLE "bank_windows" (
	"bank_window_id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "bank_windows_bank_window_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"bank_code" text NOT NULL,
	"daily_from" integer,
	"daily_until" integer,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "legal_holds" (
	"legal_hold_id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "legal_holds_legal_hold_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"registration_number" text NOT NULL,
	"held_at" timestamp with time zone DEFAULT now() NOT NULL,
	"held_by" text NOT NULL,
	"reason" text NOT NULL,
	"released_at" timestamp with time zone,
	"released_by" text,
	"release_reason" text
);
--> statement-breakpoint
CREATE TABLE "reconciled_registrations" (
	"reconciliation_id" text NOT NULL,
	"registration_number" text NOT NULL,
	"entry_ids" text[] NOT NULL,
	"difference" text,
	"kind" text,
	"detail" text,
	CONSTRAINT "reconciled_registrations_reconciliation_id_registration_number_pk" PRIMARY KEY("reconciliation_id","registration_number")
);
--> statement-breakpoint
CREATE TABLE "reconciliations" (
	"reconciliation_id" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"counts" jsonb
);
--> statement-breakpoint
ALTER TABLE "members" ALTER COLUMN "sealed_data_key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ALTER COLUMN "sealed_facts" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "registrations" ALTER COLUMN "sealed_details" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "consent_evidence" ADD COLUMN "duration_ms" integer;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erased_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erased_by" text;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erasure_reason" text;--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "purged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reconciled_registrations" ADD CONSTRAINT "reconciled_registrations_reconciliation_id_reconciliations_reconciliation_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "public"."reconciliations"("reconciliation_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ars_calls_of_member" ON "ars_calls" USING btree ("called_on","user_id");--> statement-breakpoint
CREATE INDEX "ars_calls_to_phone" ON "ars_calls" USING btree ("called_on","phone_hash");--> statement-breakpoint
CREATE INDEX "ars_calls_for_account" ON "ars_calls" USING btree ("called_on","account_hash");--> statement-breakpoint
CREATE INDEX "windows_of_bank" ON "bank_windows" USING btree ("bank_code");--> statement-breakpoint
CREATE UNIQUE INDEX "one_legal_hold_per_registration" ON "legal_holds" USING btree ("registration_number") WHERE released_at is null;