// app/orders/[id]/route.ts
import { InvalidIdError, parseId } from "bitflake";

export async function GET(_request: Request, { params }: { params: Promise<{ id: string }> }) {
  try {
    return Response.json({ id: String(parseId((await params).id)) });
  } catch (error) {
    if (error instanceof InvalidIdError) return Response.json({ error: error.message }, { status: 400 });
    throw error;
  }
}
