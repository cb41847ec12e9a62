/** Returns a free port below the ephemeral ports. */
export declare function freePort(): Promise<number>;
