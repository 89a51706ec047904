// Loaded with `node --import` before holdfast itself, by the tests that break it on purpose, and by its children too,
// because NODE_OPTIONS is handed on. Which ways stands in the address: sabotage.mjs?no-holding,no-empty-primary-guard
import { sabotage } from '../../dist/base/sabotage.js';

sabotage(new URL(import.meta.url).search.slice(1).split(','));
