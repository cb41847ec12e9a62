// The members of Prisma's client and data model that the extension uses, so that it does not need Prisma's types.

/** A field of a model. */
export interface PrismaField {
  /** Its name in the schema. */
  readonly name: string;
  /** `"object"` for a relation. */
  readonly kind: string;
  /** The type: for a relation the other model. */
  readonly type: string;
}

/** A model. */
export interface PrismaModel {
  /** Its fields, with the relations. */
  readonly fields: readonly PrismaField[];
}

/** A model with its name. */
export interface NamedPrismaModel extends PrismaModel {
  /** Its name in the schema. */
  readonly name: string;
}

/** The models of a schema: `Prisma.dmmf.datamodel`, or the form that a client of Prisma has. */
export interface PrismaDatamodel {
  /** The models, as a list or by their names. */
  readonly models: readonly NamedPrismaModel[] | Readonly<Record<string, PrismaModel>>;
}

/** The types that the extension adds to those of the client: none. */
export interface NoExtension {
  /** No fields of results. */
  result: Record<never, never>;
  /** No methods of models. */
  model: Record<never, never>;
  /** No types of queries. */
  query: Record<never, never>;
  /** No methods of the client. */
  client: Record<never, never>;
}

/** An extension of Prisma's client: a function that `$extends` calls with the client. */
export type PrismaExtension = (client: object) => {
  /** The types of the extended client, for the compiler. */
  readonly $extends: {
    /** The additions of the extension. */
    readonly extArgs: NoExtension;
  };
};

/** An operation on a model, as Prisma passes it to an extension. */
export interface PrismaQuery {
  readonly model: string;
  readonly operation: string;
  readonly args: unknown;
  readonly query: (args: unknown) => Promise<unknown>;
}
