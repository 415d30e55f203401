/** The scale scenarios by name. */
import { burst } from './burst.ts';
import { hotqueue } from './hotqueue.ts';
import { manyidle } from './manyidle.ts';
import type { ScaleScenario } from './scale-result.ts';
import { sinkslow } from './sinkslow.ts';
import { storeslow } from './storeslow.ts';

export const scaleScenarios: readonly ScaleScenario[] = [burst, hotqueue, sinkslow, storeslow, manyidle];
