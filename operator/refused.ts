/** A command cannot be carried out as things are. The message says why, and what to do next. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
