import type { Page } from 'playwright-core';

export type Colour = readonly [red: number, green: number, blue: number];

/** How far a channel may be off: edges are smoothed. */
const NEAR = 24;

/** A colour as CSS computes it, laid over white as far as it is opaque. */
export function parseColour(colour: string, opacity = 1): Colour {
  const channels = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  if (channels.length < 3) throw new Error(`no colour: ${colour}`);
  return channels.map((channel) => channel * opacity + 255 * (1 - opacity)) as unknown as Colour;
}

/**
 * Reads a screenshot, by the browser that wrote it.
 *
 * @param page a blank one
 * @returns for each colour the share of pixels that are near it, and the pixel in the upper left
 */
export async function readPixels(
  page: Page,
  png: Buffer,
  colours: readonly Colour[],
): Promise<{ shares: number[]; first: Colour }> {
  return await page.evaluate(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${png.toString('base64')}';
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const isNear = (at, colour) => colour.every((channel, index) => Math.abs(channel - data[at + index]) <= ${NEAR});
    const shares = ${JSON.stringify(colours)}.map((colour) => {
      let near = 0;
      for (let at = 0; at < data.length; at += 4) if (isNear(at, colour)) near += 1;
      return near / (data.length / 4);
    });
    return { shares, first: [...data.slice(0, 3)] };
  })()`);
}
