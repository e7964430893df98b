import { useQueryClient } from '@tanstack/react-query';
import { useOrganization } from '../session/session';

/** Reads anew what a change of users shows in: they, their invitations, and how many have each role. */
export function useRefreshUsers(): () => Promise<void> {
  const { id } = useOrganization();
  const queryClient = useQueryClient();
  return async () => {
    const touched = ['users', 'invitations', 'roles'].map((resource) =>
      queryClient.invalidateQueries({ queryKey: ['organizations', id, resource] }),
    );
    await Promise.all(touched);
  };
}
