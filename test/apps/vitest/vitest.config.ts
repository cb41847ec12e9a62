// Without this file Vitest would take the settings of the repository.
export default {};
