CREATE INDEX "accounts_of_member" ON "accounts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "accounts_by_what_retired_them" ON "accounts" USING btree ("retired_by");--> statement-breakpoint
CREATE INDEX "registrations_of_member" ON "registrations" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "registrations_to_purge" ON "registrations" USING btree ("ended_at") WHERE purged_at is null;