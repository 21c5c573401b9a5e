/** What was to be opened has been destroyed for good, by the member's erasure or at the end of its retention. */
export class PersonalDataErased extends Error {
  override readonly name = 'PersonalDataErased';
}
