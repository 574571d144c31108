/** The one form in which a pack's zip is written (APPNOTE 6.3.9), so that no byte of it is left to chance. */
export const ZIP = {
  flagDescriptor: 0x0008,
  flagUtf8: 0x0800,
  madeBy: 0x033f,
  needed: 20,
  neededWide: 45,
  regularFile: 0o100644 * 2 ** 16,
  firstOf1980: 0x21,
  /** A field's way to say: look into the wide one (zip64). */
  elsewhere16: 0xffff,
  elsewhere32: 0xffffffff,
  wideField: 0x0001,
} as const

/** From how many bytes on a size or a place is written wide; less in tests alone. */
export const WIDE_FROM_BYTES = ZIP.elsewhere32

/** Bytes that are read where they lie: a file of a disk, a file that was dropped on a page, or memory. */
export interface ByteSource {
  readonly sizeBytes: number
  /**
   * The bytes [from, to); both lie within the size.
   * @param room of so many bytes at least, where they may be put
   */
  read(from: number, to: number, room?: Uint8Array): Uint8Array
}

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
