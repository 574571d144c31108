import type PDFDocument from 'pdfkit'
import { TONES } from './theme.ts'
import type { Tone } from './theme.ts'

/** Each state has a shape of its own, so that a copy in grey says the same. */
export type Shape = 'check' | 'triangle' | 'square' | 'diamond' | 'dash' | 'ring' | 'dot'

export interface Look {
  readonly tone: Tone
  readonly shape: Shape
}

/** Draws a sign of `size` points; it stands for nothing that is not also said in words. */
export function drawSign(
  doc: typeof PDFDocument.prototype,
  { tone, shape }: Look,
  x: number,
  y: number,
  size: number,
): void {
  const { solid, on } = TONES[tone]
  const at = (px: number, py: number): [number, number] => [x + (px / 16) * size, y + (py / 16) * size]
  const to = (points: readonly (readonly [number, number])[]) => {
    for (const [place, [px, py]] of points.entries()) {
      if (place === 0) doc.moveTo(...at(px, py))
      else doc.lineTo(...at(px, py))
    }
    return doc
  }
  doc.save()
  doc
    .lineCap('round')
    .lineJoin('round')
    .lineWidth(size / 9)
  const cut = (...lines: [number, number][][]) => {
    for (const line of lines) to(line).stroke(on)
  }
  switch (shape) {
    case 'check':
      doc.circle(...at(8, 8), size * 0.45).fill(solid)
      cut([
        [4.8, 8.3],
        [7, 10.5],
        [11.2, 5.7],
      ])
      break
    case 'triangle':
      to([
        [8, 1.2],
        [15.3, 14.3],
        [0.7, 14.3],
      ])
        .closePath()
        .fill(solid)
      cut(
        [
          [8, 6],
          [8, 9.8],
        ],
        [
          [8, 12],
          [8, 12.2],
        ],
      )
      break
    case 'square':
      doc.roundedRect(...at(1, 1), size * 0.875, size * 0.875, size * 0.14).fill(solid)
      cut(
        [
          [5, 5],
          [11, 11],
        ],
        [
          [11, 5],
          [5, 11],
        ],
      )
      break
    case 'diamond':
      to([
        [8, 0.4],
        [15.6, 8],
        [8, 15.6],
        [0.4, 8],
      ])
        .closePath()
        .fill(solid)
      cut(
        [
          [6.2, 6.6],
          [6.6, 5.4],
          [8, 5],
          [9.4, 5.4],
          [9.7, 6.6],
          [9.2, 7.5],
          [8.2, 8.2],
          [8, 9],
        ],
        [
          [8, 11],
          [8, 11.2],
        ],
      )
      break
    case 'dash':
      to([
        [4, 8],
        [12, 8],
      ]).stroke(solid)
      break
    case 'ring':
      doc.circle(...at(8, 8), size * 0.34).stroke(solid)
      break
    case 'dot':
      doc.circle(...at(8, 8), size * 0.25).fill(solid)
      break
  }
  doc.restore()
}
