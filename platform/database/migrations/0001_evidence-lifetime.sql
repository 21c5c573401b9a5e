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
ALTER TABLE "members" ALTER COLUMN "sealed_data_key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ALTER COLUMN "sealed_facts" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "registrations" ALTER COLUMN "sealed_details" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "consent_evidence" ADD COLUMN "duration_ms" integer;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erased_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erased_by" text;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "erasure_reason" text;--> statement-breakpoint
ALTER TABLE "registrations" ADD COLUMN "purged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "one_legal_hold_per_registration" ON "legal_holds" USING btree ("registration_number") WHERE released_at is null;