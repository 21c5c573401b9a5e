CREATE TABLE "accepted_ciphertexts" (
	"asp_id" text NOT NULL,
	"sha256" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "accepted_ciphertexts_asp_id_sha256_pk" PRIMARY KEY("asp_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "access_keys" (
	"sha256" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"state" text NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"account_id" text NOT NULL,
	"state" text NOT NULL,
	"auto_charge_since" timestamp with time zone,
	"activated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"retired_at" timestamp with time zone,
	"retired_by" text,
	"removed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "ars_codes" (
	"user_id" text PRIMARY KEY NOT NULL,
	"ars_code_id" text NOT NULL,
	"sealed_code" "bytea" NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"spent_by" text
);
--> statement-breakpoint
CREATE TABLE "consent_evidence" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"call_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"script_version" text NOT NULL,
	"format" text NOT NULL,
	"bytes" integer NOT NULL,
	"sha256" text NOT NULL,
	"sealed_recording" "bytea" NOT NULL,
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "crypto_keys" (
	"crypto_key_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"state" text NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_server_private_key" "bytea" NOT NULL,
	"client_public_key" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "members" (
	"user_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_data_key" "bytea" NOT NULL,
	"sealed_facts" "bytea" NOT NULL,
	"callback_sequence" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"asp_id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"demands_encryption" boolean DEFAULT true NOT NULL,
	"compares_member" boolean DEFAULT true NOT NULL,
	"callback_url" text
);
--> statement-breakpoint
CREATE TABLE "registrations" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"asp_id" text NOT NULL,
	"bank_code" text NOT NULL,
	"sealed_details" "bytea" NOT NULL,
	"ars_code_id" text,
	"status" text NOT NULL,
	"result_code" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"timeline" jsonb
);
--> statement-breakpoint
CREATE TABLE "result_callbacks" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"sequence" integer NOT NULL,
	"state" text NOT NULL,
	"occurred_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deliveries" integer DEFAULT 0 NOT NULL,
	"delivered_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "secret_keys" (
	"secret_key_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"state" text NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_secret" "bytea" NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "access_keys" ADD CONSTRAINT "access_keys_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ars_codes" ADD CONSTRAINT "ars_codes_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "consent_evidence" ADD CONSTRAINT "consent_evidence_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "crypto_keys" ADD CONSTRAINT "crypto_keys_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "result_callbacks" ADD CONSTRAINT "result_callbacks_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "result_callbacks" ADD CONSTRAINT "result_callbacks_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secret_keys" ADD CONSTRAINT "secret_keys_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "accepted_until" ON "accepted_ciphertexts" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "one_active_account_per_member" ON "accounts" USING btree ("user_id") WHERE state = 'ACTIVE';--> statement-breakpoint
CREATE INDEX "registrations_by_asp" ON "registrations" USING btree ("asp_id","registration_number");--> statement-breakpoint
CREATE UNIQUE INDEX "one_callback_per_sequence" ON "result_callbacks" USING btree ("user_id","sequence");