// The members of TypeORM's events that the subscriber uses, so that it does not need TypeORM's types.

/** A column, as the metadata of an entity describes it. */
export interface IdInsertColumn {
  /** Whether it is a part of the primary key. */
  readonly isPrimary: boolean;
  /** The transformer, or several. */
  readonly transformer?: unknown;
  /** Returns the column's value in an entity. */
  getEntityValue(entity: never): unknown;
  /** Sets the column's value in an entity. */
  setEntityValue(entity: never, value: unknown): void;
}

/** The event before an insert. */
export interface IdInsertEvent {
  /** The entity. */
  readonly entity: unknown;
  /** The entity's metadata. */
  readonly metadata: {
    /** The columns, with those of embedded entities. */
    readonly columns: readonly IdInsertColumn[];
  };
}
