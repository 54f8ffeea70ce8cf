// The console's script. Every page is whole without it.
"use strict"
