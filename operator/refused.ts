/** A command cannot be carried out now. The message says why, and what to do next. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
