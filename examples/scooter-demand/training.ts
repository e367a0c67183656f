import { zonesTrainable } from '../../trainer/run/zones.ts';
import { source } from './history/source.ts';

/** The newest two weeks judge; a forecast is made a day ahead. */
export default zonesTrainable(source, { objective: 'poisson', heldOut: 14 * 24, gap: 24 });
