CREATE TABLE "access_keys" (
	"sha256" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"state" text NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "account_checks" (
	"user_id" text PRIMARY KEY NOT NULL,
	"checked_on" date NOT NULL,
	"checks" integer NOT NULL
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
	"replaced_by" text,
	"removed_at" timestamp with time zone,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ars_calls" (
	"registration_number" text NOT NULL,
	"attempt" integer NOT NULL,
	"called_on" date NOT NULL,
	"user_id" text NOT NULL,
	"asp_id" text NOT NULL,
	"phone_hash" text NOT NULL,
	"is_own_phone" boolean NOT NULL,
	"account_hash" text NOT NULL,
	CONSTRAINT "ars_calls_registration_number_attempt_pk" PRIMARY KEY("registration_number","attempt")
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
CREATE TABLE "audit_trail" (
	"sequence" integer PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"asp_id" text,
	"user_id" text,
	"registration_number" text,
	"details" text NOT NULL,
	"reason" text,
	"origin" text NOT NULL,
	"approves" integer,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_trail_keys" (
	"audit_trail_key_id" text PRIMARY KEY NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_key" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "bank_windows" (
	"bank_window_id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "bank_windows_bank_window_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"bank_code" text NOT NULL,
	"daily_from" integer,
	"daily_until" integer,
	"starts_at" timestamp with time zone,
	"ends_at" timestamp with time zone,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "consent_evidence" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"call_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"script_version" text NOT NULL,
	"format" text NOT NULL,
	"bytes" integer NOT NULL,
	"duration_ms" integer NOT NULL,
	"sha256" text,
	"sealed_recording" "bytea",
	"stored_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "crypto_keys" (
	"crypto_key_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"state" text NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_key_pair" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "effects" (
	"registration_number" text NOT NULL,
	"kind" text NOT NULL,
	"attempt" integer NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"call_id" text,
	"decided_by" text,
	"execution" uuid,
	"sent_at" timestamp with time zone NOT NULL,
	"send_by" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone NOT NULL,
	"asks" integer DEFAULT 0 NOT NULL,
	"ask_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone,
	"contradiction" text,
	CONSTRAINT "effects_registration_number_kind_attempt_pk" PRIMARY KEY("registration_number","kind","attempt"),
	CONSTRAINT "attempts_count_from_one" CHECK (attempt >= 1),
	CONSTRAINT "decided_or_open" CHECK ((state in ('SENT', 'ACCEPTED')) = (decided_at is null))
);
--> statement-breakpoint
CREATE TABLE "incarnations" (
	"incarnation" integer PRIMARY KEY NOT NULL,
	"system_identifier" text NOT NULL,
	"timeline" text NOT NULL,
	"begun_at" timestamp with time zone NOT NULL,
	"restored_to" timestamp with time zone,
	"adopted_at" timestamp with time zone,
	"first_sequence" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "legal_holds" (
	"registration_number" text NOT NULL,
	"ordinal" integer NOT NULL,
	"held_at" timestamp with time zone NOT NULL,
	"held_by" text NOT NULL,
	"reason" text NOT NULL,
	"released_at" timestamp with time zone,
	"released_by" text,
	"release_reason" text,
	"seal" text NOT NULL,
	CONSTRAINT "legal_holds_registration_number_ordinal_pk" PRIMARY KEY("registration_number","ordinal")
);
--> statement-breakpoint
CREATE TABLE "member_keys" (
	"user_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_data_key" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "members" (
	"user_id" text PRIMARY KEY NOT NULL,
	"asp_id" text NOT NULL,
	"sealed_facts" "bytea",
	"notification_sequence" integer DEFAULT 0 NOT NULL,
	"milestones" integer DEFAULT 0 NOT NULL,
	"erased_at" timestamp with time zone,
	"erased_by" text,
	"erasure_reason" text,
	"key_destroyed_at" timestamp with time zone,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "operator_decisions" (
	"operator_decision_id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "operator_decisions_operator_decision_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"registration_number" text NOT NULL,
	"decided_at" timestamp with time zone NOT NULL,
	"operator" text NOT NULL,
	"decision" text NOT NULL,
	"reason" text NOT NULL,
	"payment_gateway_said" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payload_keys" (
	"payload_key_id" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"first_used_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "policies" (
	"policy_id" text PRIMARY KEY NOT NULL,
	"policy" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"asp_id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"demands_encryption" boolean DEFAULT true NOT NULL,
	"compares_member" boolean DEFAULT true NOT NULL,
	"accepts_all_institutions" boolean DEFAULT false NOT NULL,
	"notification_url" text,
	"keys_sha256" text NOT NULL,
	"seal" text NOT NULL
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
	"counts" jsonb,
	"audit_trail_head" text
);
--> statement-breakpoint
CREATE TABLE "registrations" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"asp_id" text NOT NULL,
	"bank_code" text NOT NULL,
	"sealed_details" "bytea",
	"ars_code_id" text,
	"correlation_id" text,
	"policy_id" text NOT NULL,
	"status" text NOT NULL,
	"step" text NOT NULL,
	"tried_since" timestamp with time zone DEFAULT now() NOT NULL,
	"result_code" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"begun_at" timestamp with time zone,
	"withdrawn_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"timeline" jsonb NOT NULL,
	"passed_call" jsonb,
	"look_at" timestamp with time zone DEFAULT now() NOT NULL,
	"replacements" integer DEFAULT 0 NOT NULL,
	"purged_at" timestamp with time zone,
	"notification_sequence" integer,
	"legal_holds" integer DEFAULT 0 NOT NULL,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "remembered_requests" (
	"asp_id" text NOT NULL,
	"digest" text NOT NULL,
	"operation" text NOT NULL,
	"crypto_key_id" text,
	"content_hash" text,
	"registration_number" text,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"effect_at" timestamp with time zone,
	CONSTRAINT "remembered_requests_asp_id_digest_pk" PRIMARY KEY("asp_id","digest")
);
--> statement-breakpoint
CREATE TABLE "result_notifications" (
	"registration_number" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"sequence" integer NOT NULL,
	"state" text NOT NULL,
	"deliveries" integer DEFAULT 0 NOT NULL,
	"redelivered_after" integer DEFAULT 0 NOT NULL,
	"next_delivery_at" timestamp with time zone DEFAULT now() NOT NULL,
	"look_at" timestamp with time zone DEFAULT now() + interval '1 minute' NOT NULL,
	"delivered_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "seal_keys" (
	"seal_key_id" text PRIMARY KEY NOT NULL,
	"database_key_id" text NOT NULL,
	"sealed_key" "bytea" NOT NULL
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
ALTER TABLE "account_checks" ADD CONSTRAINT "account_checks_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ars_codes" ADD CONSTRAINT "ars_codes_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "consent_evidence" ADD CONSTRAINT "consent_evidence_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "crypto_keys" ADD CONSTRAINT "crypto_keys_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "effects" ADD CONSTRAINT "effects_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "legal_holds" ADD CONSTRAINT "legal_holds_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member_keys" ADD CONSTRAINT "member_keys_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "operator_decisions" ADD CONSTRAINT "operator_decisions_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reconciled_registrations" ADD CONSTRAINT "reconciled_registrations_reconciliation_id_reconciliations_reconciliation_id_fk" FOREIGN KEY ("reconciliation_id") REFERENCES "public"."reconciliations"("reconciliation_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "registrations" ADD CONSTRAINT "registrations_policy_id_policies_policy_id_fk" FOREIGN KEY ("policy_id") REFERENCES "public"."policies"("policy_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "result_notifications" ADD CONSTRAINT "result_notifications_registration_number_registrations_registration_number_fk" FOREIGN KEY ("registration_number") REFERENCES "public"."registrations"("registration_number") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "result_notifications" ADD CONSTRAINT "result_notifications_user_id_members_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."members"("user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "secret_keys" ADD CONSTRAINT "secret_keys_asp_id_projects_asp_id_fk" FOREIGN KEY ("asp_id") REFERENCES "public"."projects"("asp_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "one_active_account_per_member" ON "accounts" USING btree ("user_id") WHERE state = 'ACTIVE';--> statement-breakpoint
CREATE INDEX "accounts_of_member" ON "accounts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "ars_calls_of_member" ON "ars_calls" USING btree ("called_on","user_id");--> statement-breakpoint
CREATE INDEX "ars_calls_to_phone" ON "ars_calls" USING btree ("called_on","phone_hash");--> statement-breakpoint
CREATE INDEX "ars_calls_for_account" ON "ars_calls" USING btree ("called_on","account_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "one_approval_per_request" ON "audit_trail" USING btree ("approves");--> statement-breakpoint
CREATE INDEX "audit_trail_of_registration" ON "audit_trail" USING btree ("registration_number");--> statement-breakpoint
CREATE INDEX "audit_trail_of_member" ON "audit_trail" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "windows_of_bank" ON "bank_windows" USING btree ("bank_code");--> statement-breakpoint
CREATE UNIQUE INDEX "one_open_effect" ON "effects" USING btree ("registration_number","kind") WHERE state in ('SENT', 'ACCEPTED');--> statement-breakpoint
CREATE UNIQUE INDEX "registered_once" ON "effects" USING btree ("registration_number") WHERE kind = 'REGISTRATION' and state = 'DONE';--> statement-breakpoint
CREATE INDEX "effects_decided_at" ON "effects" USING btree ("decided_at") WHERE decided_at is not null;--> statement-breakpoint
CREATE INDEX "removals_to_look_at" ON "effects" USING btree ("ask_at") WHERE kind = 'REMOVAL' and state = 'SENT';--> statement-breakpoint
CREATE UNIQUE INDEX "one_legal_hold_per_registration" ON "legal_holds" USING btree ("registration_number") WHERE released_at is null;--> statement-breakpoint
CREATE INDEX "members_erased" ON "members" USING btree ("erased_at") WHERE erased_at is not null;--> statement-breakpoint
CREATE INDEX "operator_decisions_on" ON "operator_decisions" USING btree ("registration_number");--> statement-breakpoint
CREATE INDEX "registrations_by_asp" ON "registrations" USING btree ("asp_id","registration_number");--> statement-breakpoint
CREATE INDEX "registrations_of_member" ON "registrations" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "registrations_of_request" ON "registrations" USING btree ("correlation_id");--> statement-breakpoint
CREATE UNIQUE INDEX "one_open_registration_per_member" ON "registrations" USING btree ("user_id") WHERE begun_at is not null and ended_at is null;--> statement-breakpoint
CREATE INDEX "registrations_to_look_at" ON "registrations" USING btree ("look_at") WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX "registrations_withdrawn" ON "registrations" USING btree ("withdrawn_at") WHERE withdrawn_at is not null;--> statement-breakpoint
CREATE INDEX "registrations_purged" ON "registrations" USING btree ("purged_at") WHERE purged_at is not null;--> statement-breakpoint
CREATE INDEX "registrations_to_purge" ON "registrations" USING btree ("ended_at") WHERE purged_at is null;--> statement-breakpoint
CREATE INDEX "idempotency_keys_by_age" ON "remembered_requests" USING btree ("first_seen_at") WHERE crypto_key_id is null;--> statement-breakpoint
CREATE INDEX "ciphertexts_by_key" ON "remembered_requests" USING btree ("crypto_key_id") WHERE crypto_key_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "one_notification_per_sequence" ON "result_notifications" USING btree ("user_id","sequence");--> statement-breakpoint
CREATE INDEX "notifications_to_look_at" ON "result_notifications" USING btree ("look_at") WHERE state = 'PENDING';