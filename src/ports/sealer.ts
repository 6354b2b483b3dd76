/** Keeps short texts unreadable where they are stored: whoever has the store, but not the key, learns nothing. */
export interface Sealer {
  /** Bound to `place`: moved to another one it no longer opens. Throws what reading or making the key throws. */
  seal(place: string, text: string): Promise<string>;
  /** EvenkeelError `sealed-unreadable` when it was altered or sealed elsewhere, or the key is lost or another one. */
  open(place: string, sealed: string): Promise<string>;
}
