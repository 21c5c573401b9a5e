/** The data has been destroyed permanently, by the member's erasure or at the end of its retention period. */
export class PersonalDataErased extends Error {
  override readonly name = 'PersonalDataErased';
}
