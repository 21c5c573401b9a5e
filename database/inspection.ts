import { Client, DatabaseError } from 'pg';
import { withClient } from './with-client.ts';

/** The prefix of the ASP IDs of a sandbox's projects. */
const sandboxProjectMark = 'SANDBOXASP';

/** The SQLSTATE of a database without these tables. */
const undefinedTable = '42P01';

/** What production does not allow of a database. */
export interface DatabaseInspection {
  /** The ASP IDs of a sandbox's projects. None where there are no tables yet. */
  readonly sandboxProjects: readonly string[];
  /** What the role may do that no process of the service needs, itself or as a member of another role. */
  readonly dangerousRights: readonly string[];
}

/** Every right with which a role reads or becomes what it likes. */
const rightsOfRole = `
  select distinct granted as "right"
  from pg_roles as role, unnest(array[
    case when role.rolsuper then 'SUPERUSER' end,
    case when role.rolbypassrls then 'BYPASSRLS' end,
    case when role.rolcreaterole then 'CREATEROLE' end,
    case when role.rolcreatedb then 'CREATEDB' end,
    case when role.rolreplication then 'REPLICATION' end,
    case when role.rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files',
      'pg_read_all_data', 'pg_write_all_data') then role.rolname end
  ]) as granted
  where granted is not null and case
    when (select rolsuper from pg_roles where rolname = session_user) then role.rolname = session_user
    else pg_has_role(session_user, role.oid, 'MEMBER')
  end
  order by 1`;

/** Whether the role may change what is in the audit trail, or owns it. A superuser may do anything; that is said already. */
const rightsOnTrail = `
  select has_table_privilege(session_user, oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    or pg_has_role(session_user, relowner, 'MEMBER') as "mayChange"
  from pg_class
  where oid = to_regclass('audit_trail')
    and not (select rolsuper from pg_roles where rolname = session_user)`;

/** Looks at a database, and leaves it as it is. Throws when it does not answer: then it is unknown. */
export async function inspectDatabase(databaseUrl: string): Promise<DatabaseInspection> {
  return await withClient(databaseUrl, async (client) => {
    const { rows: rights } = await client.query<{ right: string }>(rightsOfRole);
    const {
      rows: [trail],
    } = await client.query<{ mayChange: boolean | null }>(rightsOnTrail);
    return {
      sandboxProjects: await findSandboxProjects(client),
      dangerousRights: [
        ...rights.map(({ right }) => right),
        ...(trail?.mayChange ? ['changes the audit trail'] : []),
      ],
    };
  });
}

async function findSandboxProjects(client: Client): Promise<string[]> {
  try {
    const text = 'select asp_id from projects where starts_with(asp_id, $1) order by asp_id';
    const { rows } = await client.query<{ asp_id: string }>(text, [sandboxProjectMark]);
    return rows.map(({ asp_id: aspId }) => aspId);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === undefinedTable) return [];
    throw error;
  }
}

/**
 * How a connection is protected, as the driver reads its URL: `UNVERIFIED` is TLS with anybody. `LOCAL` is a socket of
 * this machine.
 * @throws {Error} when a file that the URL names cannot be read
 */
export function protectionOf(databaseUrl: string): {
  readonly host: string;
  readonly protection: 'NONE' | 'UNVERIFIED' | 'VERIFIED' | 'LOCAL';
} {
  const client = new Client({ connectionString: databaseUrl });
  // Its type does not say that it may be an object.
  const ssl = client.ssl as boolean | { rejectUnauthorized?: boolean; checkServerIdentity?: unknown };
  const { host } = client;
  if (host.startsWith('/')) return { host, protection: 'LOCAL' };
  if (!ssl) return { host, protection: 'NONE' };
  const isUnverified =
    typeof ssl === 'object' && (ssl.rejectUnauthorized === false || ssl.checkServerIdentity !== undefined);
  return { host, protection: isUnverified ? 'UNVERIFIED' : 'VERIFIED' };
}
