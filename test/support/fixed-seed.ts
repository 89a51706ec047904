/**
 * Every run of the tests draws the same random inputs, so that a change is to blame when one fails, and not the draw.
 * HOLDFAST_SEED gives others; `npm run fuzz` always does.
 */
import fc from 'fast-check';

process.env['HOLDFAST_SEED'] ??= '1';
fc.configureGlobal({ seed: Number(process.env['HOLDFAST_SEED']) });
