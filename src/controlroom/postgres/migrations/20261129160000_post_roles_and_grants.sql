-- The places in which memberships and admins stood before they were grants: no server reads or writes them any more.
drop trigger grant_is_a_member on access_grant;
drop trigger admin_is_a_grant on app_user;
drop table member;
drop function grant_as_member(), admin_as_grant(), member_as_grant(), member_of_role(uuid), role_of_member(text);
alter table app_user drop column is_admin;
