// The version of the package, for code that cannot read package.json. A test compares the two.

export const VERSION = "0.1.0";
