-- The tables in which credentials stood before they were one notion: no server reads or writes them any more.
drop trigger credential_is_as_before on credential;
drop trigger linking_is_as_before on linking;
drop table api_key, user_credential, link_token;
drop function credential_as_before(), linking_as_before(), link_token_as_credential(), user_credential_as_credential(),
    api_key_as_credential(), access_id(timestamptz);
