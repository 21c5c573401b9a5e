-- The role of the processes lacks these rights anyway (database/migrate.ts). This stops everybody else's mistakes.
CREATE FUNCTION "refuse_change_of_audit_trail"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit trail is append-only: % is refused.', TG_OP;
END $$;
--> statement-breakpoint
CREATE TRIGGER "audit_trail_is_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_trail"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_audit_trail"();
