{% macro in_coins(cents) %}round({{ cents }} / 100.0, 2){% endmacro %}

{% macro days_later(day, days) %}cast({{ day }} as date) + {{ days | int }}{% endmacro %}
