-- A user may have several keys: one a program, so that another one for another program ends nothing.
drop index credential_user_key;
