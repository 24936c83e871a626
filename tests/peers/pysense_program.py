"""Reads a Sisense with PySense and prints what it read, as JSON.

PySense is licensed under GPL-3.0. This file is a program of its own: the tests run it in a process of its own and
never import it. Arguments: the URL, the user name, the CA file, the name of a group. The password is read from stdin.
"""

from __future__ import annotations

import json
import sys

from PySense import PySense


def main() -> None:
    url, user_name, ca_path, group_name = sys.argv[1:]
    client = PySense.authenticate_by_password(url, user_name, sys.stdin.readline().strip(), "Linux", verify=ca_path)
    own = client.get_user_by_email(user_name)
    [team] = client.get_groups_by_name([group_name])
    read = {
        "users": [user.get_id() for user in client.get_users()],
        "groups": [group.json for group in client.get_groups()],
        "members": [member.get_id() for member in team.get_users()],
        "roles": sorted(client.roles.values()),
        "own_role": client.get_role_by_id(own.get_role_id()).value,
        "own_groups": [group.get_id() for group in own.get_groups()],
    }
    sys.stdout.write("\n" + json.dumps(read) + "\n")


if __name__ == "__main__":
    main()
