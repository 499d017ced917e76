"""Asks and follows a project in GraphQL, with the library `gql` on its own terms: it reads the schema first and holds every query against it.

Its arguments: the port and a token. For each line on standard input it does one thing and prints the outcome as one line of JSON.
"""

import asyncio
import json
import sys

from gql import Client, gql
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError, TransportQueryError

port, token = sys.argv[1:]


def tell(told):
    print(json.dumps(told), flush=True)


def transport():
    return AIOHTTPWebsocketsTransport(
        url=f"ws://127.0.0.1:{port}/graphql",
        headers={"Authorization": f"Bearer {token}"},
        connect_timeout=60,
        ack_timeout=60,
    )


async def follow(session, name, query):
    """Prints every value, with the subscription's name."""
    async for value in session.subscribe(gql(query)):
        tell({"name": name, "value": value})


async def main():
    try:
        client = Client(transport=transport(), fetch_schema_from_transport=True)
        session = await client.connect_async(reconnecting=False)
    except (TransportError, OSError) as error:
        return tell({"refused": f"{error}: {error.__cause__}"})
    tell({"types": sorted(name for name in client.schema.type_map if not name.startswith("__"))})
    following = set()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        wanted = json.loads(line)
        if "follow" in wanted:
            following.add(asyncio.create_task(follow(session, wanted["follow"], wanted["query"])))
            continue
        try:
            query = gql(wanted["query"])
            query.variable_values = wanted.get("variables")
            tell({"data": await session.execute(query)})
        except TransportQueryError as error:
            tell({"errors": error.errors})
    for task in following:
        task.cancel()
    await client.close_async()


asyncio.run(main())
