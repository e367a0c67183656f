import { METRICS } from './metric-scenarios.ts';
import { POLICIES } from './policy-scenarios.ts';
import { ROLLOUTS } from './rollout-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { SHIPPED } from './shipped-scenarios.ts';
import { TABLE } from './table-scenarios.ts';
import { WILD } from './wild-scenarios.ts';

export const SCENARIOS: readonly Scenario[] = [...TABLE, ...METRICS, ...POLICIES, ...ROLLOUTS, ...SHIPPED, ...WILD];
