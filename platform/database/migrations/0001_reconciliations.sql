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
ALTER TABLE "reconciled_registrations" ADD CONSTRAINT "reconciled_registrations_reconciliation_id_reconciliations_reconciliation_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "public"."reconciliations"("reconciliation_id") ON DELETE cascade ON UPDATE no action;