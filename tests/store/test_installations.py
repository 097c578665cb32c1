"""The contract of workspaces."""


async def test_removing_counts_once_until_it_is_installed_again(stores, now):
    assert not await stores.workspaces.is_removed("T1")
    await stores.workspaces.mark_installed("T1", "Acme", now)
    assert not await stores.workspaces.is_removed("T1")
    assert await stores.workspaces.mark_removed("T1", now)
    assert not await stores.workspaces.mark_removed("T1", now)
    assert await stores.workspaces.is_removed("T1")
    assert not await stores.workspaces.is_removed("T2")
    await stores.workspaces.mark_installed("T1", "Acme", now)
    assert not await stores.workspaces.is_removed("T1")
    assert await stores.workspaces.mark_removed("T1", now)


async def test_a_workspace_that_was_never_seen_can_be_removed(stores, now):
    assert await stores.workspaces.mark_removed("T1", now)
    assert await stores.workspaces.is_removed("T1")
