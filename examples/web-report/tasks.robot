*** Settings ***
Documentation       Page visits: each row of a table becomes a work item; the pages that people like become a report.
Library             Collections
Library             RPA.Robocorp.WorkItems
Library             RPA.Tables


*** Variables ***
${ENOUGH}       ${300}


*** Tasks ***
Split table
    [Documentation]    One output work item for each row of the table beside this robot.
    ${table}=    Read table from CSV    ${CURDIR}${/}visits.csv    header=${True}
    FOR    ${row}    IN    @{table}
        Create Output Work Item    variables=${row}    save=${True}
    END

Collect rows
    [Documentation]    Every page with enough visits goes into report.csv; the others are told apart as business exceptions.
    @{popular}=    Create List
    Set Test Variable    ${popular}
    For Each Input Work Item    Collect row
    ${report}=    Create table    ${popular}
    Sort table by column    ${report}    visits    ascending=${False}
    Write table to CSV    ${report}    ${OUTPUT_DIR}${/}report.csv


*** Keywords ***
Collect row
    [Documentation]    Take the row in hand into the report, or say why not.
    ${row}=    Get Work Item Variables
    ${visits}=    Convert To Integer    ${row}[visits]
    IF    ${visits} < ${ENOUGH}
        Release Input Work Item
        ...    state=FAILED
        ...    exception_type=BUSINESS
        ...    code=UNPOPULAR
        ...    message=${row}[page] has ${visits} visits only
    ELSE
        VAR    &{counted}=    page=${row}[page]    visits=${visits}
        Append To List    ${popular}    ${counted}
        Release Input Work Item    state=DONE
    END
