// @jest/globals, made of Vitest's.

import { vi } from "vitest";

export { afterEach, beforeEach, describe, expect, it } from "vitest";
export const jest = vi;
