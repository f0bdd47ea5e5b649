#!/usr/bin/python3
"""explain.py MODEL-DIR FILE: the SHAP values of the rows (float32) in FILE by
python-xgboost, on one thread; prints rows a second."""
import json
import sys
import time

import numpy
import xgboost

folder, rows = sys.argv[1:3]
columns = len(json.load(open(folder + "/model.json"))["features"])
x = numpy.fromfile(rows, dtype=numpy.float32).reshape(-1, columns)
booster = xgboost.Booster({"nthread": 1}, model_file=folder + "/booster.ubj")
booster.set_param({"nthread": 1})
start = time.process_time()
booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
print(round(len(x) / (time.process_time() - start)))
