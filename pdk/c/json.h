/* JSON, by the tables of contract.h. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include "contract.h"

/* Reads an object into a struct; fields that the table does not name are passed over. Fails for what is no JSON. */
void sluice_json_read(sluice_json text, const sluice_record *record, void *into);
/* Writes a struct as an object. */
sluice_text sluice_json_write(const sluice_record *record, const void *from);

sluice_json sluice_json_member(sluice_json object, sluice_text name);
sluice_text sluice_json_string(sluice_json json);
/* A number as JavaScript writes it: the fewest digits that mean it, an exponent from 10^21 on and below 10^-6. */
sluice_text sluice_json_number(double x);

#endif
