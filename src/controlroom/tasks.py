"""Ending what one has begun aside."""

import asyncio


async def cancelled(*tasks: asyncio.Task[object]) -> None:
    """Cancel tasks and wait for their ends, whatever those are.

    Who is cancelled while they wait here ends, too. With `suppress(CancelledError)` around `await task` they would take
    their own cancellation for the task's, go on, and whoever wants their end would wait for ever.
    """
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen: nobody is told of it
