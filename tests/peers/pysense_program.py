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
    dashboards = client.get_dashboards_admin(dashboard_type="owner", sort="oid")
    cubes = [cube for cube in client.get_elasticubes() if cube.json["type"] == "extract"]
    read = {
        "users": [user.get_id() for user in client.get_users()],
        "groups": [group.json for group in client.get_groups()],
        "members": [member.get_id() for member in team.get_users()],
        "roles": sorted(client.roles.values()),
        "own_role": client.get_role_by_id(own.get_role_id()).value,
        "own_groups": [group.get_id() for group in own.get_groups()],
        "dashboards": {each.get_oid(): each.get_shares_json(admin_access=True)["sharesTo"] for each in dashboards},
        "folders": [folder.get_oid() for folder in client.get_folders()],
        "permissions": {cube.get_title(): len(cube.get_shares_json()) for cube in cubes},
        "row_rules": {
            cube.get_title(): [
                [rule.get_id(), rule.get_members(), [share["type"] for share in rule.get_shares_json()]]
                for rule in cube.get_data_security()
            ]
            for cube in cubes
        },
    }
    sys.stdout.write("\n" + json.dumps(read) + "\n")


if __name__ == "__main__":
    main()
