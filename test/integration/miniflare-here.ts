// Whether this Node can run miniflare, which needs Node 22.

export const miniflareHere: boolean = Number(process.versions.node.split(".")[0]) >= 22;
